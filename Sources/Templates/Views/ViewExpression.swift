/// A value to read, with slots instead of names. While a file is checked, `base` counts the file's own bindings
/// (0 is the page, 1 is chrome); after linking it counts the locals of the program.
enum ViewExpression: Sendable {
    case constant(ViewConstant)
    case path(base: Int, slots: [Int])
    /// A path without slots, and one with one, in a finished program: see ``direct``.
    case local(Int)
    case field(local: Int, slot: Int)
    case loop(base: Int, ViewLoopProperty)
    indirect case filter(ViewFilter, ViewExpression)
    /// Whether the caller filled a slot; a constant after linking.
    case slotGiven(String)
}

enum ViewLoopProperty: String, Sendable, CaseIterable {
    case index, index0, first, last, length
}

enum ViewTest: Sendable {
    case constant(Bool)
    /// A flag.
    case truth(ViewExpression)
    case present(ViewExpression)
    /// Absent, or without characters or members.
    case empty(ViewExpression)
    indirect case compare(ViewExpression, Comparison, ViewExpression)
    indirect case and(ViewTest, ViewTest)
    indirect case or(ViewTest, ViewTest)
    indirect case not(ViewTest)
}

enum ViewFilter: Sendable {
    case number, percent, bytes
    case date, datetime, time, iso, relative
    case plural(one: String, many: String)
    indirect case fallback(ViewExpression)
    case upcase, downcase, capitalize, initials
    case truncate(Int)
    case join(String)
    case size
    case json
    case escapeQuery

    /// Whether a date in this form is digits, names of months and punctuation that is the same in text and attributes.
    var isDateForm: Bool {
        switch self {
        case .date, .datetime, .time, .iso: true
        default: false
        }
    }
}

/// One step of a program. Jump targets are indexes of operations.
enum ViewOperation: Sendable {
    case bytes(Range<Int>)
    case emit(ViewExpression, ViewEscape)
    /// The same for a field of a record that a local holds: by far the most frequent output.
    case emitField(local: Int, slot: Int, ViewEscape)
    case jumpUnless(ViewTest, Int)
    case jump(Int)
    case set(local: Int, ViewExpression)
    /// Evaluates the list; when it is empty goes to `end`, otherwise sets the first item.
    case enter(loop: Int, item: Int, ViewExpression, end: Int)
    /// Sets the next item and goes back to `body`, or goes on.
    case next(loop: Int, item: Int, body: Int)
}

/// A page or a fragment, ready to run.
struct ViewProgram: Sendable {
    var operations: [ViewOperation] = []
    var bytes: [UInt8] = []
    var localCount = 2
    var loopCount = 0
}
