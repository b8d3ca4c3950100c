package drift

import "github.com/sallyport/sallyport/apply/cluster"

const (
	// maxFields is how many fields of one object are told: more nobody reads, and
	// who replaces an object leaves hundreds.
	maxFields = 50
	// maxManagers is how many managers of one field are told.
	maxManagers = 10
	// maxText bounds a path or a name in bytes. A manager's name has 128 at most, a
	// path the keys of lists, which can be anything.
	maxText = 400
)

// fit makes an object fit to be printed. Its fingerprint stays that of all of it.
func (opts Options) fit(o Object) Object {
	if n := len(o.Fields); n > maxFields {
		o.Fields, o.More = o.Fields[:maxFields:maxFields], n-maxFields
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		f.Path = opts.text(f.Path)
		f.By = f.By[:min(len(f.By), maxManagers)]
		for k := range f.By {
			f.By[k].Name = opts.text(f.By[k].Name)
		}
	}
	o.Held = opts.text(o.Held)
	return o
}

// text redacts first: a value that was cut would not be recognised any more.
func (opts Options) text(s string) string {
	if opts.Redact != nil {
		s = opts.Redact(s)
	}
	return cluster.OneLine(s, maxText)
}
