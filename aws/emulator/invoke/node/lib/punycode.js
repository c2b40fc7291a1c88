module.exports = { toASCII: (text) => text, toUnicode: (text) => text };
