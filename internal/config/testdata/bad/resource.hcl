virtual_router "outside" {
  interface = "eth0"
  id        = 51
  preempt   = false
  addresses = ["10.13.0.200/24"]
  resource "service" "apache2" {} # ERROR: Unknown resource "service"
  resource "systemd" "apache2" {} # ERROR: Invalid unit # WARNING: No other user
  resource "systemd" "apache2.service" { # WARNING: No other user
    start = ["/bin/true"] # ERROR: Unused start
  }
  resource "mount" "srv" { # ERROR: Invalid directory # ERROR: Missing device # WARNING: No other user
    options = [""] # ERROR: Invalid argument
  }
  resource "mount" "/srv/" { device = "/dev/sdb1" } # ERROR: Invalid directory # WARNING: No other user
  resource "command" "volume" { # ERROR: Missing stop
    start  = ["volume", "start"] # ERROR: Not an absolute path
    status = [] # ERROR: No program
  }
  resource "command" "absent" {
    start = ["/etc/lvsd/hooks/absent"] # WARNING: Program cannot be run
    stop  = ["/bin/true"]
  }
}
