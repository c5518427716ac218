director {
  start_delay = "2h"  # ERROR: Invalid start_delay
}
