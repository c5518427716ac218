virtual_service {  # ERROR: Missing name for virtual_service
}
