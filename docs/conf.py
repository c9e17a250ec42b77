"""How the site is built: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "stmg"
author = "The stmg maintainers"
project_copyright = "The stmg maintainers, Apache-2.0"
version = release = "0.1.0"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "extensions.mathml",
    "extensions.docstrings",
    "extensions.environments",
    "extensions.algorithms",
    "extensions.commands",
    "extensions.reference",
    "extensions.zoo",
]
exclude_patterns = ["results/*/notes.md", "extensions", "generated/zoo.md"]
# A name in backticks is a link where the site has it, and code where not.
default_role = "py:obj"
myst_enable_extensions = ["attrs_inline", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

# From here on, one argument a line.
python_maximum_signature_line_length = 90
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_math_renderer = "mathml"
html_title = "stmg"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
