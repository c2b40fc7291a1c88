// Package report turns an audit's document (account.Report) into what people
// and programs read: a table, CSV, Markdown and SARIF; filtered, sorted and with
// the columns asked for; and reads a saved document back.
//
// It imports aws/account, aws/filter and aws/session's cleaning of remote text,
// and knows neither the network nor a terminal.
package report
