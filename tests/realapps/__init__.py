"""Real apps, checked against what Appsmith recorded in them and by an independent parser."""
