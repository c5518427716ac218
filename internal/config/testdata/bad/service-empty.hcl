virtual_service "web" {  # ERROR: Missing address  # ERROR: Missing port  # ERROR: Missing forward
}
