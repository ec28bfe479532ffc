"""Build the documentation: Markdown through MyST, in Furo, without network and without warnings.

Guarantees that every page under `docs/` is reachable and every link between pages resolves, since
`make docs` turns warnings into errors. It fails by stopping the build.
"""

from pygments.lexers.shell import BashLexer
from sphinx.application import Sphinx

from arbees import __version__

project = "Arbees"
author = "The Arbees authors"
copyright = "The Arbees authors, Apache-2.0"  # noqa: A001 - Sphinx reads this name
version = release = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
root_doc = "index"
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
smartquotes = False  # `--until` is an option, not a dash

html_theme = "furo"
html_title = f"Arbees {__version__}"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["width.css"]


def setup(app: Sphinx) -> None:
    """Let blocks of settings be marked as what they are: lines of `.env`."""
    app.add_lexer("dotenv", BashLexer)
