import FoundationEssentials

/// Runs a program: appends bytes to one buffer.
struct ViewMachine {
    private let program: ViewProgram
    private var locals: [ViewValue]
    private var loops: [(list: ViewValue, index: Int, count: Int)]
    private var calendar: ViewCalendar
    private(set) var output: [UInt8] = []

    init(_ program: ViewProgram, page: ViewObject, chrome: ViewObject, clock: ViewClockSlots) {
        self.program = program
        locals = Array(repeating: .absent, count: program.localCount)
        locals[0] = .record(page)
        locals[1] = .record(chrome)
        loops = Array(repeating: (.absent, 0, 0), count: program.loopCount)
        calendar = ViewCalendar(chrome, clock)
    }

    mutating func run() {
        output.reserveCapacity(program.bytes.count * 2 + 4096)
        let operations: [ViewOperation] = program.operations
        let bytes: [UInt8] = program.bytes
        operations.withUnsafeBufferPointer { operations in
            bytes.withUnsafeBufferPointer { run(operations, $0) }
        }
    }

    private mutating func run(_ operations: UnsafeBufferPointer<ViewOperation>, _ bytes: UnsafeBufferPointer<UInt8>) {
        var place = 0
        while place < operations.count {
            switch operations[place] {
            case .bytes(let range):
                output.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[range]))
            case .emit(let value, let escape): emit(value, escape)
            case .emitField(let local, let slot, let escape):
                if case .record(let record) = locals[local] {
                    ViewWriter.write(record.value(at: slot), escape, to: &output)
                }
            case .jumpUnless(let test, let target):
                if !holds(test) {
                    place = target
                    continue
                }
            case .jump(let target):
                place = target
                continue
            case .set(let local, let value): locals[local] = evaluate(value)
            case .enter(let loop, let item, let list, let end):
                if !enter(loop, item, list) {
                    place = end
                    continue
                }
            case .next(let loop, let item, let body):
                loops[loop].index += 1
                if loops[loop].index < loops[loop].count {
                    setItem(loop, item)
                    place = body
                    continue
                }
            }
            place += 1
        }
    }

    private mutating func enter(_ loop: Int, _ item: Int, _ list: ViewExpression) -> Bool {
        let value: ViewValue = evaluate(list)
        let count: Int =
            switch value {
            case .list(let rows): rows.count
            case .texts(let texts): texts.count
            default: 0
            }
        loops[loop] = (value, 0, count)
        guard count > 0 else { return false }
        setItem(loop, item)
        return true
    }

    private mutating func setItem(_ loop: Int, _ item: Int) {
        switch loops[loop].list {
        case .list(let rows): locals[item] = .record(rows[loops[loop].index])
        case .texts(let texts): locals[item] = .text(texts[loops[loop].index])
        default: locals[item] = .absent
        }
    }

    private mutating func emit(_ expression: ViewExpression, _ escape: ViewEscape) {
        if case .json = escape, case .filter(.json, let value) = expression {
            ViewJSON.write(evaluate(value), to: &output)
            return
        }
        if case .html = escape, case .filter(let form, let value) = expression, form.isDateForm,
            case .date(let date) = evaluate(value)
        {
            return calendar.append(date, as: form, to: &output)
        }
        ViewWriter.write(evaluate(expression), escape, to: &output)
    }

    private mutating func evaluate(_ expression: ViewExpression) -> ViewValue {
        switch expression {
        case .constant(let constant): return constant.value
        case .local(let local): return locals[local]
        case .field(let local, let slot):
            guard case .record(let record) = locals[local] else { return .absent }
            return record.value(at: slot)
        case .path(let base, let slots):
            var value: ViewValue = locals[base]
            for slot in slots {
                guard case .record(let record) = value else { return .absent }
                value = record.value(at: slot)
            }
            return value
        case .loop(let loop, let property):
            let state = loops[loop]
            switch property {
            case .index: return .number(state.index + 1)
            case .index0: return .number(state.index)
            case .first: return .flag(state.index == 0)
            case .last: return .flag(state.index == state.count - 1)
            case .length: return .number(state.count)
            }
        case .filter(.fallback(let other), let value):
            let first: ViewValue = evaluate(value)
            switch first {
            case .absent: return evaluate(other)
            case .text(let text) where text.isEmpty: return evaluate(other)
            default: return first
            }
        case .filter(let filter, let value): return ViewFiltering.apply(filter, to: evaluate(value), &calendar)
        case .slotGiven: return .flag(false)
        }
    }

    private mutating func holds(_ test: ViewTest) -> Bool {
        switch test {
        case .constant(let holds): return holds
        case .truth(let value):
            if case .flag(true) = evaluate(value) { return true }
            return false
        case .present(let value): return evaluate(value).isPresent
        case .empty(let value): return ViewComparing.isEmpty(evaluate(value))
        case .compare(let left, let comparison, let right):
            return ViewComparing.holds(evaluate(left), comparison, evaluate(right))
        case .and(let left, let right): return holds(left) && holds(right)
        case .or(let left, let right): return holds(left) || holds(right)
        case .not(let inner): return !holds(inner)
        }
    }
}

/// Comparisons of values.
enum ViewComparing {
    static func isEmpty(_ value: ViewValue) -> Bool {
        switch value {
        case .absent: true
        case .text(let text): text.isEmpty
        case .texts(let texts): texts.isEmpty
        case .list(let rows): rows.isEmpty
        case .html(let bytes): bytes.isEmpty
        default: false
        }
    }

    static func holds(_ left: ViewValue, _ comparison: Comparison, _ right: ViewValue) -> Bool {
        switch comparison {
        case .equal: equal(left, right)
        case .notEqual: !equal(left, right)
        case .contains:
            switch (left, right) {
            case (.texts(let texts), .text(let text)): texts.contains(text)
            case (.text(let whole), .text(let part)): contains(Array(whole.utf8), Array(part.utf8))
            default: false
            }
        case .less: order(left, right).map { $0 < 0 } ?? false
        case .greater: order(left, right).map { $0 > 0 } ?? false
        case .lessOrEqual: order(left, right).map { $0 <= 0 } ?? false
        case .greaterOrEqual: order(left, right).map { $0 >= 0 } ?? false
        }
    }

    private static func contains(_ whole: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= whole.count else { return false }
        return (0...(whole.count - part.count)).contains { whole[$0..<($0 + part.count)].elementsEqual(part) }
    }

    private static func equal(_ left: ViewValue, _ right: ViewValue) -> Bool {
        switch (left, right) {
        case (.absent, .absent): true
        case (.text(let first), .text(let second)): first == second
        case (.flag(let first), .flag(let second)): first == second
        default: order(left, right) == 0
        }
    }

    private static func order(_ left: ViewValue, _ right: ViewValue) -> Int? {
        if case .date(let first) = left, case .date(let second) = right {
            return first == second ? 0 : first < second ? -1 : 1
        }
        if case .number(let first) = left, case .number(let second) = right {
            return first == second ? 0 : first < second ? -1 : 1
        }
        guard let first = number(left), let second = number(right) else { return nil }
        return first == second ? 0 : first < second ? -1 : 1
    }

    private static func number(_ value: ViewValue) -> Double? {
        switch value {
        case .number(let number): Double(number)
        case .decimal(let number): number
        default: nil
        }
    }
}
