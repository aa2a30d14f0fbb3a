use dragnet_boundary::Owner;

fn main() {}

fn keep(owner: &Owner<i32>) {
    let _: Result<&mut i32, _> = owner.call(|value| value);
}
