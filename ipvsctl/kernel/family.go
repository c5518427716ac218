//go:build linux

package kernel

const (
	familyName    = "IPVS" // IPVS_GENL_NAME
	familyVersion = 1      // IPVS_GENL_VERSION
	genlHeader    = 4      // bytes: command, version, two reserved
)

// An attribute (struct nlattr in linux/netlink.h).
const (
	attrHeader   = 4      // bytes: length, type
	attrNested   = 0x8000 // NLA_F_NESTED
	attrTypeMask = 0x3fff // NLA_TYPE_MASK
	attrTypes    = 16     // above those that are listed here
)

// The commands of the family (IPVS_CMD_* in linux/ip_vs.h).
const (
	cmdNewService = 1
	cmdSetService = 2
	cmdDelService = 3
	cmdGetService = 4
	cmdNewDest    = 5
	cmdSetDest    = 6
	cmdDelDest    = 7
	cmdGetDest    = 8
	cmdNewDaemon  = 9
	cmdDelDaemon  = 10
	cmdGetDaemon  = 11
	cmdSetConfig  = 12
	cmdGetConfig  = 13
	cmdGetInfo    = 15
	cmdZero       = 16
	cmdFlush      = 17
)

// The attributes of a command (IPVS_CMD_ATTR_*).
const (
	attrService       = 1
	attrDest          = 2
	attrDaemon        = 3
	attrTimeoutTCP    = 4
	attrTimeoutTCPFin = 5
	attrTimeoutUDP    = 6
)

// The attributes of a service (IPVS_SVC_ATTR_*).
const (
	svcFamily    = 1
	svcProtocol  = 2
	svcAddr      = 3
	svcPort      = 4
	svcMark      = 5
	svcScheduler = 6
	svcFlags     = 7
	svcTimeout   = 8
	svcNetmask   = 9
	svcStats     = 10
	svcEngine    = 11
	svcStats64   = 12
)

// The attributes of a destination (IPVS_DEST_ATTR_*).
const (
	destAddr        = 1
	destPort        = 2
	destForward     = 3
	destWeight      = 4
	destUpper       = 5
	destLower       = 6
	destActive      = 7
	destInactive    = 8
	destPersistent  = 9
	destStats       = 10
	destFamily      = 11
	destStats64     = 12
	destTunnelType  = 13
	destTunnelPort  = 14
	destTunnelFlags = 15
)

// The attributes of a sync daemon (IPVS_DAEMON_ATTR_*).
const (
	daemonState     = 1
	daemonInterface = 2
	daemonID        = 3
	daemonMaxLength = 4
	daemonGroup     = 5
	daemonGroup6    = 6
	daemonPort      = 7
	daemonTTL       = 8
)

// The attributes of the answer to cmdGetInfo (IPVS_INFO_ATTR_*).
const (
	infoVersion = 1
	infoSize    = 2
)

// The attributes of the counters (IPVS_STATS_ATTR_*).
const (
	statsConnections = 1
	statsPacketsIn   = 2
	statsPacketsOut  = 3
	statsBytesIn     = 4
	statsBytesOut    = 5

	statsConnectionRate = 6
	statsPacketsInRate  = 7
	statsPacketsOutRate = 8
	statsBytesInRate    = 9
	statsBytesOutRate   = 10
)

const (
	flagHashed  = 0x2 // IP_VS_SVC_F_HASHED, which the kernel sets itself
	forwardMask = 0x7 // IP_VS_CONN_F_FWD_MASK
	allFlags    = ^uint32(0)
)
