// Package config is lvsd's configuration language. It turns the files into a
// Config for one node, or into diagnostics that tell what is wrong, where, and
// what to write instead.
//
// Every file uses only files that come before it in this list:
//
//	processors.go, owner.go,        what all of this makes, and what a block claims
//	config.go, claims.go
//	foreign.go                      other programs' words, with ours
//	secret.go, network.go,          what several of the following share
//	route.go, check_via.go,
//	check.go, check_forwarded.go,
//	check_talk.go,
//	client.go, check_tls_options.go,
//	check_login.go, policy.go,
//	program.go
//	check_none.go, check_tcp.go,    each kind of check
//	check_udp.go, check_tls.go,
//	check_http.go, check_grpc.go,
//	check_ping.go,
//	check_dns.go, check_channel.go,
//	check_smtp.go,
//	check_mailbox.go,
//	check_ftp.go, check_nntp.go,
//	check_sip.go, check_ntp.go,
//	check_redis.go,
//	check_memcached.go,
//	check_sql.go, check_mysql.go,
//	check_postgres.go,
//	check_ldap.go, check_radius.go,
//	check_exec.go, check_file.go,
//	check_agent.go, check_any.go
//	checks.go                       the kinds of checks
//	hook.go, hook_service.go,       programs that are told of states, and what a Master runs
//	stream.go, resource.go
//	packets.go, server.go,          virtual_service {} and its servers
//	service.go
//	condition.go                    what conditions of all kinds have in common
//	track_interface.go,             each kind of condition
//	track_ping.go, track_service.go,
//	track_file.go, track_process.go,
//	track_exec.go
//	track.go, authentication.go,    the kinds of conditions, virtual_router {}
//	virtual_mac.go, address.go,
//	announce.go, paths.go, router.go
//	static.go                       static {}
//	group.go                        sync_group {}
//	ipvs.go, connection_sync.go,    director {}, defaults {}
//	director.go, defaults.go
//	language.go                     the blocks at the top level of a file
//	tracking.go                     the conditions of all blocks
//	joined.go                       sync groups, and the virtual routers in them
//	told.go                         connections that directors tell each other of
//	marks.go                        packets that are marked, and their marks
//	placed.go                       virtual routers, and the addresses of this machine
//	this_machine.go                 what is known of the machine
//	whole.go                        Parse, ParseWith: all blocks, and what must hold among them
//
// An option is one line in the table of its block: its name, its default, its
// range, what it does, and where its value is stored. Everything else about
// options is derived from the tables: what a file may contain, the messages about
// mistakes, the comments of examples/reference.hcl and the sections of
// lvsd.hcl(5). A rule that a table cannot express is in the function that reads
// the block.
//
// Each kind of check and of condition has a file with a table of its own, and an
// entry in the list of kinds. Package block reads the HCL itself.
package config
