package layer

// pipe hands filled chunks from one goroutine to another and takes the empty
// ones back. It holds a fixed number of them, each made when it is needed.
type pipe struct {
	full chan chunk
	free chan []byte
	size int
}

// chunk is a buffer and the part of it that counts.
type chunk struct {
	buf      []byte
	from, to int
}

func newPipe(chunks, size int) *pipe {
	p := &pipe{full: make(chan chunk, chunks), free: make(chan []byte, chunks), size: size}
	for range chunks {
		p.free <- nil
	}
	return p
}

// get returns an empty buffer of the pipe's size.
func (p *pipe) get() []byte {
	if b := <-p.free; b != nil {
		return b
	}
	return make([]byte, p.size)
}

// each calls use for every chunk until the pipe is closed.
func (p *pipe) each(use func([]byte)) {
	for c := range p.full {
		use(c.buf[c.from:c.to])
		p.free <- c.buf
	}
}
