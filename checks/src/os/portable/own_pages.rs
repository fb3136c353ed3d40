/// Not on this system.
pub fn release_own_pages() {}
