"""A document in Markdown as one page of HTML that holds everything it needs: to be opened, sent or printed."""

from functools import cache
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_STYLE = """
body { font: 16px/1.6 system-ui, "Apple SD Gothic Neo", "Noto Sans KR", sans-serif; color: #1d2329; background: #fff;
  max-width: 52rem; margin: 2rem auto; padding: 0 1.25rem; word-break: keep-all; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 3rem 0 .75rem; } h1:first-child { margin-top: 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #d5dbe1; padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-top: 1px solid #d5dbe1; }
th { border-top: 0; color: #55606b; font-weight: 600; } td:empty { border-top-color: transparent; }
li { margin: .15rem 0; } code { background: #eef1f4; border-radius: 3px; padding: .05rem .3rem; }
@media (prefers-color-scheme: dark) { body { color: #e3e7ea; background: #15181b; } code { background: #2a2f34; }
  h2, th, td { border-color: #3a4148; } th { color: #9aa5af; } }
@media print { body { margin: 0; max-width: none; color: #000; background: #fff; font-size: 11pt; }
  h1:not(:first-child) { break-before: page; } tr, li { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # a start need not wait for it

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def inline(markdown: str) -> str:
    """One line of a document as HTML; signs of HTML in the text stay text."""
    return str(_markdown().renderInline(markdown))


def page(markdown: str, title: str, language: Literal["ko", "en"]) -> str:
    """HTML without scripts and without anything fetched; signs of HTML in the text stay text."""
    body = _markdown().render(markdown)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
