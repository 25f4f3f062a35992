"""Which modules' examples can run: those of a trainer that is installed."""

from importlib.util import find_spec

ADAPTERS = "gazecode/adapters"
NEEDS = {
    "torch.py": "torch",
    "common/torch_losses.py": "torch",
    "common/terms.py": "torch",
    "transformers.py": "transformers",
    "jax.py": "jax",
    "datasets.py": "datasets",
}
# Tests of them, in tests/adapters and tests/attention, skip by name; every other import that fails
# is an error.
collect_ignore = [f"{ADAPTERS}/{name}" for name, needed in NEEDS.items() if not find_spec(needed)]
if not all(map(find_spec, ("torch", "transformers", "captum", "nltk"))):
    collect_ignore += ["gazecode/attention", "tests/support/tiny_models.py"]
# A package of its own: tests/test_plugin.py installs it and runs its tests.
collect_ignore.append("docs/examples/reader_plugin/tests")
