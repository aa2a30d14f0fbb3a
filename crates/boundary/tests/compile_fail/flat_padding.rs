use dragnet_boundary::bytemuck;

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[bytemuck(crate = "dragnet_boundary::bytemuck")]
#[repr(C)]
struct Padded {
    byte: u8,
    word: u32,
}

fn main() {}
