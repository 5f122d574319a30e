/// One use of a file while a page is put together: what its bindings, slots and blocks stand for here.
private final class ViewFrame {
    let file: ViewCheckedFile
    var bindings: [Int: ViewExpression]
    var loops: [Int: Int] = [:]
    let slots: [String: (nodes: [ViewChecked], frame: ViewFrame)]
    let overrides: [String: (nodes: [ViewChecked], frame: ViewFrame)]

    init(
        _ file: ViewCheckedFile, _ bindings: [Int: ViewExpression],
        slots: [String: (nodes: [ViewChecked], frame: ViewFrame)] = [:],
        overrides: [String: (nodes: [ViewChecked], frame: ViewFrame)] = [:]
    ) {
        self.file = file
        self.bindings = bindings
        self.slots = slots
        self.overrides = overrides
    }
}

/// Puts a page, its layout and all it renders into one flat program.
struct ViewLinker {
    private let files: [String: ViewCheckedFile]
    private var program = ViewProgram()
    private var bytesStart = 0

    private init(_ files: [String: ViewCheckedFile]) {
        self.files = files
    }

    private static let roots: [Int: ViewExpression] = [0: .path(base: 0, slots: []), 1: .path(base: 1, slots: [])]

    static func page(_ file: ViewCheckedFile, among files: [String: ViewCheckedFile]) -> ViewProgram {
        var linker = ViewLinker(files)
        linker.file(ViewFrame(file, roots))
        return linker.finished()
    }

    static func fragment(
        _ nodes: [ViewChecked], of file: ViewCheckedFile, among files: [String: ViewCheckedFile]
    ) -> ViewProgram {
        var linker = ViewLinker(files)
        linker.nodes(nodes, ViewFrame(file, roots))
        return linker.finished()
    }

    private mutating func finished() -> ViewProgram {
        flush()
        program.operations = program.operations.map(\.direct)
        return program
    }

    private mutating func file(_ frame: ViewFrame) {
        guard let call = frame.file.layout, let layout = files[call.name] else {
            return nodes(frame.file.body, frame)
        }
        var overrides = frame.overrides.filter { !frame.file.declared.contains($0.key) }
        for (name, block) in frame.file.blocks { overrides[name] = (block, frame) }
        let bindings: [Int: ViewExpression] = arguments(of: call, frame)
        file(ViewFrame(layout, bindings, overrides: overrides))
    }

    private mutating func arguments(of call: ViewCheckedCall, _ frame: ViewFrame) -> [Int: ViewExpression] {
        var bindings: [Int: ViewExpression] = [1: .path(base: 1, slots: [])]
        for (binding, value) in call.arguments.sorted(by: { $0.key < $1.key }) {
            let value: ViewExpression = rebind(value, frame)
            switch value {
            case .constant, .path(_, []): bindings[binding] = value
            default:
                let local: Int = newLocal()
                add(.set(local: local, value))
                bindings[binding] = .path(base: local, slots: [])
            }
        }
        return bindings
    }

    private mutating func newLocal() -> Int {
        defer { program.localCount += 1 }
        return program.localCount
    }

    /// Ends the run of literal bytes: what comes next may be jumped to.
    private mutating func flush() {
        if bytesStart < program.bytes.count {
            program.operations.append(.bytes(bytesStart..<program.bytes.count))
            bytesStart = program.bytes.count
        }
    }

    @discardableResult
    private mutating func add(_ operation: ViewOperation) -> Int {
        flush()
        program.operations.append(operation)
        return program.operations.count - 1
    }

    private mutating func here() -> Int {
        flush()
        return program.operations.count
    }

    private mutating func nodes(_ nodes: [ViewChecked], _ frame: ViewFrame) {
        for node in nodes {
            switch node {
            case .bytes(let bytes): program.bytes += bytes
            case .emit(let value, let escape): emit(rebind(value, frame), escape)
            case .branch(let arms): branch(arms, frame)
            case .loop(let item, let list, let body, let otherwise):
                loop(item, list, body, otherwise, frame)
            case .block(let name, let fallback):
                if let other = frame.overrides[name] {
                    self.nodes(other.nodes, other.frame)
                } else {
                    self.nodes(fallback, frame)
                }
            case .call(let call):
                guard let callee = files[call.name] else { continue }
                let slots = call.slots.mapValues { (nodes: $0, frame: frame) }
                file(ViewFrame(callee, arguments(of: call, frame), slots: slots))
            case .yield(let name):
                if let slot = frame.slots[name] { self.nodes(slot.nodes, slot.frame) }
            case .fragment(_, let inner): self.nodes(inner, frame)
            }
        }
    }

    private mutating func emit(_ value: ViewExpression, _ escape: ViewEscape) {
        if case .constant(let constant) = value {
            ViewWriter.write(constant.value, escape, to: &program.bytes)
        } else if case .path(let base, let slots) = value, slots.count == 1, escape != .json {
            add(.emitField(local: base, slot: slots[0], escape))
        } else {
            add(.emit(value, escape))
        }
    }

    private mutating func branch(_ arms: [(test: ViewTest?, body: [ViewChecked])], _ frame: ViewFrame) {
        var ends: [Int] = []
        for (index, arm) in arms.enumerated() {
            let test: ViewTest = arm.test.map { rebind($0, frame) } ?? .constant(true)
            if case .constant(let holds) = test {
                if !holds { continue }
                nodes(arm.body, frame)
                break
            }
            let skip: Int = add(.jumpUnless(test, 0))
            nodes(arm.body, frame)
            if index < arms.count - 1 { ends.append(add(.jump(0))) }
            program.operations[skip] = .jumpUnless(test, here())
        }
        let end: Int = here()
        for jump in ends { program.operations[jump] = .jump(end) }
    }

    private mutating func loop(
        _ item: Int, _ list: ViewExpression, _ body: [ViewChecked], _ otherwise: [ViewChecked], _ frame: ViewFrame
    ) {
        let list: ViewExpression = rebind(list, frame)
        let local: Int = newLocal()
        let number: Int = program.loopCount
        program.loopCount += 1
        frame.bindings[item] = .path(base: local, slots: [])
        frame.loops[item] = number
        let enter: Int = add(.enter(loop: number, item: local, list, end: 0))
        let start: Int = here()
        nodes(body, frame)
        add(.next(loop: number, item: local, body: start))
        if otherwise.isEmpty {
            program.operations[enter] = .enter(loop: number, item: local, list, end: here())
            return
        }
        let leave: Int = add(.jump(0))
        program.operations[enter] = .enter(loop: number, item: local, list, end: here())
        nodes(otherwise, frame)
        program.operations[leave] = .jump(here())
    }

    // MARK: From a file's bindings to the program's locals

    private func rebind(_ expression: ViewExpression, _ frame: ViewFrame) -> ViewExpression {
        switch expression {
        case .constant, .local, .field: return expression
        case .slotGiven(let name): return .constant(.flag(frame.slots[name] != nil))
        case .loop(let base, let property): return .loop(base: frame.loops[base] ?? 0, property)
        case .path(let base, let slots):
            switch frame.bindings[base] {
            case .path(let target, let first): return .path(base: target, slots: first + slots)
            case .constant(let constant): return .constant(slots.isEmpty ? constant : .absent)
            default: return .constant(.absent)
            }
        case .filter(.fallback(let other), let value):
            let inner: ViewExpression = rebind(value, frame)
            if case .constant(.absent) = inner { return rebind(other, frame) }
            return .filter(.fallback(rebind(other, frame)), inner)
        case .filter(let filter, let value): return .filter(filter, rebind(value, frame))
        }
    }

    private func rebind(_ test: ViewTest, _ frame: ViewFrame) -> ViewTest {
        switch test {
        case .constant: return test
        case .truth(let value):
            let value: ViewExpression = rebind(value, frame)
            if case .constant(let constant) = value { return .constant(constant == .flag(true)) }
            return .truth(value)
        case .present(let value):
            let value: ViewExpression = rebind(value, frame)
            if case .constant(let constant) = value { return .constant(constant != .absent) }
            return .present(value)
        case .empty(let value):
            let value: ViewExpression = rebind(value, frame)
            if case .constant(let constant) = value { return .constant(constant == .absent || constant == .text("")) }
            return .empty(value)
        case .compare(let left, let comparison, let right):
            return compare(rebind(left, frame), comparison, rebind(right, frame))
        case .not(let inner):
            let inner: ViewTest = rebind(inner, frame)
            if case .constant(let holds) = inner { return .constant(!holds) }
            return .not(inner)
        case .and(let left, let right):
            return Self.joined(rebind(left, frame), rebind(right, frame), neutral: true)
        case .or(let left, let right):
            return Self.joined(rebind(left, frame), rebind(right, frame), neutral: false)
        }
    }

    private func compare(_ left: ViewExpression, _ comparison: Comparison, _ right: ViewExpression) -> ViewTest {
        if case .constant(let first) = left, case .constant(let second) = right {
            return .constant(ViewComparing.holds(first.value, comparison, second.value))
        }
        return .compare(left, comparison, right)
    }

    private static func joined(_ left: ViewTest, _ right: ViewTest, neutral: Bool) -> ViewTest {
        if case .constant(let holds) = left { return holds == neutral ? right : left }
        if case .constant(let holds) = right, holds == neutral { return left }
        return neutral ? .and(left, right) : .or(left, right)
    }
}
