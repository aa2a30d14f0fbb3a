use std::rc::Rc;

use dragnet_boundary::Owner;

fn main() {}

fn return_value(owner: &Owner<Rc<i32>>) {
    let _ = owner.call(|value| Rc::clone(value));
}
