use std::rc::Rc;

use dragnet_boundary::Owner;

fn main() {}

fn bring(owner: &Owner<i32>, foreign: Rc<i32>) {
    let _ = owner.call(|value| *value += *foreign);
}
