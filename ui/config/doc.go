// Package config reads the user's configuration file, config.toml: every setting
// may be left out, none may be misspelt. An error names the line and shows how
// the setting is written. It knows what can be configured from the rooms that
// own it: themes, columns, filters and actions.
package config
