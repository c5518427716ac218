virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  preempt       = false
  preempt_delay = "10s"  # WARNING: Unused preempt_delay
}
