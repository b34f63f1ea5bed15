//! What the fuzz targets share: the properties, which mailscope's own tests try as well, and what needs
//! an allocator that counts.

pub mod held;
#[path = "../../tests/it/properties/mod.rs"]
pub mod properties;
