package contract

// peers are the known differences of other accounts, by check.
func peers() map[string]map[string]string {
	return map[string]map[string]string{"moto": {}}
}
