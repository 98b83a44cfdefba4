"""Pictures of the metrics ledger: SVG from numbers, by templates of ours, and PNG of the same."""
