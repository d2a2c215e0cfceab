"""From the YAML files of conf/ to checked settings, and from these to objects.

`schema` has the top level's names and types, `value_rules` and `checks` find wrong values and keys,
`build` makes the objects.
"""

from typing import Any

Settings = dict[str, Any]  # a resolved config in plain containers
