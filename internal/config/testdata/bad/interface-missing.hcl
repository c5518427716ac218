virtual_router "outside" {
  interface = "eht0"  # WARNING: No interface "eht0" on this machine
  id        = 51
  addresses = ["10.13.0.200/24"]
  extra_address "192.168.1.254/24" { interface = "bond0.200" }  # WARNING: No interface "bond0.200" on this machine
  track "interface" "Eth1" {}  # WARNING: No interface "Eth1" on this machine
}
