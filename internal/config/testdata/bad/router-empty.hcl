virtual_router "outside" {  # ERROR: Missing interface  # ERROR: Missing id  # ERROR: Missing addresses
}
