"""How Sphinx builds the site: ``make site``; every warning is an error."""

import os

from hwnas_env.version import __version__

os.environ.setdefault("OMP_NUM_THREADS", "1")  # in notebooks, too: see the FAQ
os.environ["PYTHONWARNINGS"] = "ignore:IProgress"  # of notebooks without widgets

project = "hwnas_env"
author = "the hwnas_env developers"
project_copyright = "2026, the hwnas_env developers"
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "rl_zoo3", "jupyter_execute"]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say shapes, dtypes and units
autodoc_preserve_defaults = True
autodoc_default_options = {"show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "hwnas_env"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
