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
    case record(any ViewObject)
    case list([any ViewObject])

    var isPresent: Bool {
        if case .absent = self { false } else { true }
    }
}

/// A record whose type is known only to its box; fields are read by slot.
protocol ViewObject: AnyObject {
    func value(at slot: Int) -> ViewValue
    var shape: ViewShape { get }
}

/// A record together with its readers. The reading closure is typed, so no cast is ever needed.
final class ViewBox<Root: Sendable>: ViewObject {
    private let root: Root
    private let fields: Fields<Root>

    init(_ root: Root, _ fields: Fields<Root>) {
        self.root = root
        self.fields = fields
    }

    func value(at slot: Int) -> ViewValue {
        fields.readers[slot](root)
    }

    var shape: ViewShape { fields.shape }
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
