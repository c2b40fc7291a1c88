// Package overlay lets an image stand for a Lambda layer: its publisher's, or one
// that layer-image has made.
//
// Open finds the image for one architecture and looks at the files that would land
// under /opt, and at nothing else of it. Compare holds them against the layer's
// zip. Source turns them into an archive, so that everything that is done with a
// layer's zip, merging, converting, proving, is done with them, too.
//
// What an image says of its own architecture is not asked: publishers' images are
// known to say it wrongly
// (https://github.com/newrelic/newrelic-lambda-layers/issues/274). An index is
// followed by platform, and after that only the programs among the files count.
//
// It imports build/image, build/layer, build/machine, build/zipdir and
// go-containerregistry.
package overlay
