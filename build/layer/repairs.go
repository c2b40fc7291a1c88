package layer

// Repairs tells what Convert would repair in src, without reading its data, and
// refuses what Convert would refuse without reading it.
func Repairs(src Source, opts Options) ([]Repair, error) {
	l, err := newLayout(src, opts)
	if err != nil {
		return nil, err
	}
	return l.repairs, nil
}
