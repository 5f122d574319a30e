/// A finished program says what it reads without lists. Most paths are a local or a field of one; where they stand in a list
/// of slots, all pages that are rendered at a time count references to the same list, which is dearer than reading.
extension ViewOperation {
    var direct: ViewOperation {
        switch self {
        case .bytes, .emitField, .jump, .next: self
        case .emit(let value, let escape): .emit(value.direct, escape)
        case .jumpUnless(let test, let target): .jumpUnless(test.direct, target)
        case .set(let local, let value): .set(local: local, value.direct)
        case .enter(let loop, let item, let list, let end): .enter(loop: loop, item: item, list.direct, end: end)
        }
    }
}

extension ViewExpression {
    var direct: ViewExpression {
        switch self {
        case .constant, .local, .field, .loop, .slotGiven: self
        case .path(let base, let slots):
            switch slots.count {
            case 0: .local(base)
            case 1: .field(local: base, slot: slots[0])
            default: self
            }
        case .filter(.fallback(let other), let value): .filter(.fallback(other.direct), value.direct)
        case .filter(let filter, let value): .filter(filter, value.direct)
        }
    }
}

extension ViewTest {
    var direct: ViewTest {
        switch self {
        case .constant: self
        case .truth(let value): .truth(value.direct)
        case .present(let value): .present(value.direct)
        case .empty(let value): .empty(value.direct)
        case .compare(let left, let comparison, let right): .compare(left.direct, comparison, right.direct)
        case .and(let left, let right): .and(left.direct, right.direct)
        case .or(let left, let right): .or(left.direct, right.direct)
        case .not(let inner): .not(inner.direct)
        }
    }
}
