package switchover

import "context"

type run struct{}

type doing = func(context.Context, *run) (outcome, error)

func backup(context.Context, *run) (outcome, error)           { panic("not written yet") }
func ensureRepository(context.Context, *run) (outcome, error) { panic("not written yet") }
func rehearse(context.Context, *run) (outcome, error)         { panic("not written yet") }
func cleanRehearsal(context.Context, *run) (outcome, error)   { panic("not written yet") }
func checkRevision(context.Context, *run) (outcome, error)    { panic("not written yet") }
func deleteZip(context.Context, *run) (outcome, error)        { panic("not written yet") }
func createFunction(context.Context, *run) (outcome, error)   { panic("not written yet") }
func hold(context.Context, *run) (outcome, error)             { panic("not written yet") }
func settleLatest(context.Context, *run) (outcome, error)     { panic("not written yet") }
func release(context.Context, *run) (outcome, error)          { panic("not written yet") }
func putTags(context.Context, *run) (outcome, error)          { panic("not written yet") }
func verify(context.Context, *run) (outcome, error)           { panic("not written yet") }
func keep(context.Context, *run) (outcome, error)             { panic("not written yet") }
func rehearseBeside(context.Context, *run) (outcome, error)   { panic("not written yet") }
func buildImage(build) doing                                  { return nil }
func publish(string) doing                                    { return nil }
func reserve(Attachment) doing                                { return nil }
func putAlias(Attachment) doing                               { return nil }
func putPolicy(Attachment) doing                              { return nil }
func putAsync(Attachment) doing                               { return nil }
func putURL(Attachment) doing                                 { return nil }
func putProvisioned(Attachment) doing                         { return nil }
func putRecursion(Attachment) doing                           { return nil }
func mappingOff(mapping) doing                                { return nil }
func mappingBack(mapping) doing                               { return nil }
func moveMapping(mapping) doing                               { return nil }
