"""The daily pull: what is asked of which source, side by side, and kept part by part."""
