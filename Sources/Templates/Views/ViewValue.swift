import FoundationEssentials

/// A value while a view is rendered.
enum ViewValue {
    case absent
    case text(String)
    case number(Int)
    case decimal(Double)
    case flag(Bool)
    case date(Date)
    case html([UInt8])
    case texts([String])
    case record(ViewObject)
    case list([ViewObject])

    var isPresent: Bool {
        if case .absent = self { false } else { true }
    }
}

/// A record whose type is known only to its box; fields are read by slot.
class ViewObject {
    let shape: ViewShape
    private let readers: [@Sendable (ViewObject) -> ViewValue]

    fileprivate init(_ shape: ViewShape, _ readers: [@Sendable (ViewObject) -> ViewValue]) {
        self.shape = shape
        self.readers = readers
    }

    final func value(at slot: Int) -> ViewValue {
        readers[slot](self)
    }
}

/// A record together with its readers.
final class ViewBox<Root: Sendable>: ViewObject {
    private let root: Root

    init(_ root: Root, _ fields: Fields<Root>) {
        self.root = root
        super.init(fields.shape, fields.readers)
    }

    /// A box for each of the records.
    static func boxes(_ roots: [Root], _ fields: Fields<Root>) -> [ViewObject] {
        var boxes: [ViewObject] = []
        boxes.reserveCapacity(roots.count)
        for place in roots.indices { boxes.append(ViewBox(roots[place], fields)) }
        return boxes
    }

    /// A reader of a field, for boxes of this type only. A box is made with the fields of its own record type and hands
    /// itself to their readers, so the object is always such a box; debug builds check it. Reading is the hottest path
    /// of rendering, and a checked cast costs more than the rest of it.
    static func reader(_ read: @escaping @Sendable (Root) -> ViewValue) -> @Sendable (ViewObject) -> ViewValue {
        { object in read(unsafeDowncast(object, to: ViewBox<Root>.self).root) }
    }
}

/// A value written in a view.
enum ViewConstant: Sendable, Equatable {
    case absent
    case text(String)
    case number(Int)
    case decimal(Double)
    case flag(Bool)

    var value: ViewValue {
        switch self {
        case .absent: .absent
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        case .decimal(let number): .decimal(number)
        case .flag(let flag): .flag(flag)
        }
    }
}
