/// The variables of a rendering. Innermost first: those of loops and snippets, what was assigned, the counters, the
/// data.
struct LiquidScope {
    /// Bindings of loops and includes, the innermost last.
    private var locals: [(name: String, value: LiquidValue)] = []
    private var assigned: [String: LiquidValue] = [:]
    private var counters: [String: Int] = [:]
    private let data: LiquidValue

    /// The loops that run, for `forloop` and `tablerowloop`.
    var loops: [LiquidLoopState] = []
    /// How far each loop got, for `offset: continue`.
    var loopOffsets: [String: Int] = [:]
    var cycles: [CycleKey: Int] = [:]
    var lastChanged: [UInt8] = []

    enum CycleKey: Hashable {
        case named(String)
        case values([Expression])
        case own(ObjectIdentifier)
    }

    init(data: LiquidValue) {
        self.data = data
    }

    /// The scope of a snippet that `render` brings in: the data, and nothing that was assigned.
    func isolated() -> LiquidScope {
        LiquidScope(data: data)
    }

    var localCount: Int { locals.count }

    mutating func push(_ name: String, _ value: LiquidValue) {
        locals.append((name, value))
    }

    mutating func setLocal(_ value: LiquidValue, at place: Int) {
        locals[place].value = value
    }

    mutating func dropLocals(to count: Int) {
        locals.removeLast(locals.count - count)
    }

    mutating func assign(_ name: String, _ value: LiquidValue) {
        assigned[name] = value
    }

    func find(_ name: String) -> LiquidValue? {
        var index: Int = locals.count - 1
        while index >= 0 {
            if locals[index].name == name { return resolved(locals[index].value) }
            index -= 1
        }
        if !assigned.isEmpty, let value = assigned[name] { return value }
        if !counters.isEmpty, let value = counters[name] { return .int(value) }
        guard case .object(let object) = data else { return nil }
        return object[name]
    }

    /// A loop's state is kept once and shown as an object when somebody asks for it.
    private func resolved(_ value: LiquidValue) -> LiquidValue {
        guard case .range(let marker, let place) = value, marker == LiquidLoopState.marker else { return value }
        return loops.indices.contains(place) ? loops[place].object(in: loops) : .null
    }

    /// Counts up and answers the value before, or counts down and answers the value after. Counters begin at zero,
    /// whatever the data has under their name.
    mutating func count(_ name: String, up: Bool) throws(LiquidFailure) -> Int {
        let value: Int = counters[name] ?? 0
        let (next, overflow) = value.addingReportingOverflow(up ? 1 : -1)
        if overflow { throw LiquidFailure("'\(name)' cannot count any further") }
        counters[name] = next
        return up ? value : next
    }
}

/// Where a loop is. `forloop` and `tablerowloop` read from it.
struct LiquidLoopState {
    let name: String
    let length: Int
    /// The loop around it, as a place in the list of loops.
    let parent: Int?
    /// Nil for `forloop`.
    let columns: Int?
    var index = 0
    var row = 1
    var column = 1

    /// Stands in a binding where a loop's state is meant.
    static let marker = Int.min

    private static let forShape = LiquidShape([
        "name", "length", "index", "index0", "rindex", "rindex0", "first", "last", "parentloop",
    ])
    private static let tableShape = LiquidShape([
        "length", "index", "index0", "rindex", "rindex0", "first", "last", "row", "col", "col0", "col_first",
        "col_last",
    ])

    mutating func advance() {
        index += 1
        if column == columns {
            column = 1
            row += 1
        } else {
            column += 1
        }
    }

    func object(in loops: [LiquidLoopState]) -> LiquidValue {
        let common: [LiquidValue] = [
            .int(length), .int(index + 1), .int(index), .int(length - index), .int(length - index - 1),
            .bool(index == 0), .bool(index == length - 1),
        ]
        if let columns {
            let rest: [LiquidValue] = [
                .int(row), .int(column), .int(column - 1), .bool(column == 1), .bool(column == columns),
            ]
            return .object(LiquidObject(Self.tableShape, common + rest, typeName: "Liquid::TablerowloopDrop"))
        }
        let parentLoop: LiquidValue = parent.map { loops[$0].object(in: loops) } ?? .null
        return .object(
            LiquidObject(Self.forShape, [.string(name)] + common + [parentLoop], typeName: "Liquid::ForloopDrop"))
    }
}
