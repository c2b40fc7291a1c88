// Package layerimage makes an image of Lambda layers alone: nothing below them,
// nothing beside them, one image layer under /opt for each. It is not there to be
// run but to be copied from, by any Dockerfile:
//
//	COPY --from=REPOSITORY:TAG /opt/ /opt/
//
// It imports build/image, build/layer, build/machine, build/optfs, build/zipdir
// and go-containerregistry.
package layerimage
