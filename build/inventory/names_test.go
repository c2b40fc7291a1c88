package inventory_test

import (
	"testing"

	"github.com/optlift/optlift/build/inventory"
)

func TestByName(t *testing.T) {
	for name, want := range map[string]inventory.Named{
		"python/Py_Dantic-1.10.dist-info/METADATA":                            {Ecosystem: inventory.Python, Name: "Py_Dantic", Version: "1.10"},
		"python/lib/python3.12/site-packages/a-b-2.dist-info/METADATA":        {Ecosystem: inventory.Python, Name: "a-b", Version: "2"},
		"python/old-1.0-py3.9.egg-info/PKG-INFO":                              {Ecosystem: inventory.Python, Name: "old", Version: "1.0"},
		"nodejs/node_modules/@s/m/package.json":                               {Ecosystem: inventory.Node, Name: "@s/m"},
		"nodejs/node22/node_modules/m/package.json":                           {Ecosystem: inventory.Node, Name: "m"},
		"ruby/gems/3.3.0/specifications/nokogiri-1.15.4-x86_64-linux.gemspec": {Ecosystem: inventory.Ruby, Name: "nokogiri", Version: "1.15.4"},
		"java/lib/guava-32.1.2-jre.jar":                                       {Ecosystem: inventory.Java, Name: "guava", Version: "32.1.2-jre"},
		"java/lib/aws-lambda-java-core-1.2.3.jar":                             {Ecosystem: inventory.Java, Name: "aws-lambda-java-core", Version: "1.2.3"},

		"python/a-2.dist-info/RECORD":                         {},
		"python/noversion.egg-info/PKG-INFO":                  {},
		"python/pip/_vendor/a-2.dist-info/METADATA":           {},
		"site-packages/a-2.dist-info/METADATA":                {},
		"nodejs/node_modules/m/node_modules/n/package.json":   {},
		"nodejs/node_modules/m/lib/package.json":              {},
		"node_modules/m/package.json":                         {},
		"nodejs/node_modules/.bin/package.json":               {},
		"java/lib/plain.jar":                                  {},
		"lib/guava-32.jar":                                    {},
		"ruby/gems/3.3.0/gems/x-1/x-1.gemspec":                {},
		"a-1.dist-info/METADATA":                              {},
		"vendor/bundle/ruby/3.3.0/specifications/x-1.gemspec": {},
	} {
		if got, ok := inventory.ByName(false, name); got != want || ok != (want != inventory.Named{}) {
			t.Errorf("%s in a layer: %+v, %v", name, got, ok)
		}
	}
	for name, want := range map[string]inventory.Named{
		"a_b-1.dist-info/METADATA":                            {Ecosystem: inventory.Python, Name: "a_b", Version: "1"},
		"node_modules/m/package.json":                         {Ecosystem: inventory.Node, Name: "m"},
		"vendor/bundle/ruby/3.3.0/specifications/x-1.gemspec": {Ecosystem: inventory.Ruby, Name: "x", Version: "1"},
		"lib/guava-32.jar":                                    {Ecosystem: inventory.Java, Name: "guava", Version: "32"},
		"python/a-1.dist-info/METADATA":                       {},
		"nodejs/node_modules/m/package.json":                  {},
		"package.json":                                        {},
	} {
		if got, ok := inventory.ByName(true, name); got != want || ok != (want != inventory.Named{}) {
			t.Errorf("%s in code: %+v, %v", name, got, ok)
		}
	}
}
