package switchover

// maxName is the length of a function's name
// (https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html).
const maxName = 64

// besideName is the name of the function beside.
func besideName(function string) string { return suffixed(function, "-image") }

// suffixed puts a suffix to a function's name, cutting the name where it must.
func suffixed(function, suffix string) string {
	return function[:min(len(function), maxName-len(suffix))] + suffix
}

// beside lists the steps that create a second function and move the mappings
// over. The old function stays as it is, so nothing here is beyond recall.
func (l *lists) beside() error {
	old := l.arn
	l.name = besideName(l.snap.Function)
	l.arn = old[:len(old)-len(l.snap.Function)] + l.name
	const undo = "DeleteFunction"
	l.add("create-function", Create, "CreateFunction", l.arn, undo, createFunction)
	l.add("rehearse", Keep, "Invoke", l.arn, "", rehearseBeside)
	if err := l.attach(undo); err != nil {
		return err
	}
	mappings, err := mappingsOf(l.snap)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		l.add("mapping-move:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" to "+l.name+colon(m.qualifier),
			"UpdateEventSourceMapping back to "+l.snap.Function, moveMapping(m))
	}
	l.add("function", Keep, "local", old+", untouched", "", keep)
	l.add("verify", Keep, "local", "every attachment against the snapshot", "", verify)
	return nil
}
