"""Ways to corrupt a plan: each breaks one named rule by more than ten times the audit's tolerance.

A corruption takes a case and a plan that passes its audit, and returns the corrupted plan, or `None` where the plan
has nothing that it could break (no link, no gang, ...). The sizes are drawn, from just above ten tolerances upwards.
"""

from audit_corruptions import claims, nonsense, shared, work

CORRUPTIONS = [*work.CORRUPTIONS, *shared.CORRUPTIONS, *nonsense.CORRUPTIONS, *claims.CORRUPTIONS]
