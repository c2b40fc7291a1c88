package switchover

import "github.com/optlift/optlift/aws/switchover/snapshot"

// replace lists the steps that delete a function and create it again under its
// name, as an image. The ARN stays; between the deletion and the moment the new
// function is Active the name does not answer.
func (l *lists) replace() error {
	s := l.snap
	if err := l.stashing(); err != nil {
		return err
	}
	l.trial()
	mappings, err := mappingsOf(s)
	if err != nil {
		return err
	}
	turn := len(l.tasks)
	for _, m := range mappings {
		if m.on {
			l.add("mapping-off:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" to Disabled", "UpdateEventSourceMapping to Enabled", mappingOff(m))
		}
	}
	if turn == len(l.tasks) {
		turn++ // without mappings to pause it is the deletion, not the look before it
	}
	l.add("check-revision", Keep, "GetFunction", s.ARN, "", checkRevision)
	const undo = "optlift rollback, from the backup"
	l.add("delete-function", Delete, "DeleteFunction", s.ARN, undo, deleteZip)
	l.turns(turn)
	l.add("create-function", Create, "CreateFunction", s.ARN+" as an image", undo, createFunction)
	if err := l.attach(undo); err != nil {
		return err
	}
	l.mappingsBack(mappings)
	l.add("verify", Keep, "local", "every attachment against the snapshot", "", verify)
	return nil
}

// trial lists the rehearsal under a temporary name.
func (l *lists) trial() {
	l.add("rehearse", Create, "CreateFunction", "a temporary function with this configuration and image", "DeleteFunction", rehearse)
	l.add("rehearse-clean", Delete, "DeleteFunction", "the temporary function", "", cleanRehearsal)
}

// mappingsBack lists what switches the mappings on again. A mapping of a version
// is pointed at the number that the version has now.
func (l *lists) mappingsBack(mappings []mapping) {
	for _, m := range mappings {
		switch {
		case m.on:
			l.add("mapping-on:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" to Enabled", "UpdateEventSourceMapping to Disabled", mappingBack(m))
		case snapshot.IsVersion(m.qualifier):
			l.add("mapping:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" to the new version, still Disabled", "UpdateEventSourceMapping", mappingBack(m))
		default:
			l.add("mapping:"+m.uuid, Keep, "local", m.uuid+", still Disabled", "", keep)
		}
	}
}
