"""What the values of a request see: the names of its action and of its activity.

https://hl7.org/fhir/R4/activitydefinition-operation-apply.html

The parameters of the operation can be read as variables: `%activityDefinition` is the definition
that is being applied.
"""

from carepath.apply.compile.compiled import CompiledAction
from carepath.apply.compile.names import Names
from carepath.apply.run.scope import Scope
from carepath.apply.run.session import Session
from carepath.fhirpath import Node

_NO_NAMES = Names("")


def value_scopes(action: CompiledAction, scope: Scope, session: Session) -> tuple[Scope, Scope]:
    """Return the scopes for the values of the activity and for those of the action itself."""
    activity = action.activity
    if activity is None:
        return scope, scope
    if action.reads_activity:
        itself = Node(activity.definition, "ActivityDefinition")
        scope = Scope(_NO_NAMES, session, scope, {"activityDefinition": itself})
    if not activity.names:
        return scope, scope
    return Scope(activity.names[0], session, scope), scope
