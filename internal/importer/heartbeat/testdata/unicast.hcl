virtual_router "lvs1" {
  interface       = "eth0"
  link_up_delay   = "1m" # initdead
  id              = 51
  priority        = { lvs1 = 150, lvs2 = 100 }[node.name]
  advert_interval = "1500ms"
  missed_adverts  = 4
  preempt         = false
  addresses       = ["192.0.2.7/32"]
  peers           = ["10.13.0.12"]
}
