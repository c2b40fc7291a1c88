module.exports = {
  EOL: "\n", arch: () => process.arch, platform: () => "linux", type: () => "Linux", release: () => "", hostname: () => "localhost",
  tmpdir: () => "/tmp", homedir: () => "/root", endianness: () => "LE", uptime: () => 0, loadavg: () => [0, 0, 0],
  cpus: () => [], totalmem: () => 0, freemem: () => 0, networkInterfaces: () => ({}), userInfo: () => ({ username: "sbx_user1051", homedir: "/home/sbx_user1051" }),
  constants: { signals: {}, errno: {} },
};
