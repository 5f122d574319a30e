/// Checks one file against the types it names, and turns names into slots.
struct ViewChecker {
    let file: ViewFile
    let world: ViewWorld
    let page: ViewRecordType?
    var scanner = ViewScanner()
    var errors: [TemplateError] = []
    private var bindings: Int
    private(set) var fragments: [String: [ViewChecked]] = [:]
    /// Blocks this file declares, with the place each stands at.
    private(set) var places: [String: ViewMarkup] = [:]
    private let outermost: ViewScope

    init(_ file: ViewFile, world: ViewWorld) {
        self.file = file
        self.world = world
        page = file.page.flatMap { world.pages[$0.name] }
        var scope = ViewScope()
        let signature: ViewSignature = world.signatures[file.name] ?? ViewSignature()
        for parameter in signature.parameters {
            scope.names[parameter.name] = (parameter.binding, parameter.type)
        }
        outermost = scope
        bindings = 2 + signature.parameters.count
    }

    mutating func report(_ message: String, at offset: Int) {
        let error = TemplateError(message, at: offset, in: file.source)
        if !errors.contains(error) { errors.append(error) }
    }

    mutating func newBinding() -> Int {
        defer { bindings += 1 }
        return bindings
    }

    /// Checks the whole file. `contexts` are the blocks its layout offers.
    mutating func check(contexts: [String: ViewMarkup]?) -> ViewCheckedFile {
        var body: [ViewChecked] = []
        var blocks: [String: [ViewChecked]] = [:]
        var layout: ViewCheckedCall?
        if let call = file.layout {
            layout = checkedCall(call, outermost, isLayout: true)
            blocks = self.blocks(contexts ?? [:])
        } else {
            body = nodes(file.body, outermost)
            if !file.isText { finishMarkup() }
        }
        return ViewCheckedFile(
            name: file.name, layout: layout, body: body, blocks: blocks, fragments: fragments,
            declared: Set(places.keys))
    }

    private mutating func finishMarkup() {
        if scanner.state.place != .text {
            report("the file ends \(scanner.state.phrase)", at: file.source.bytes.count)
        }
        for element in scanner.state.open {
            scanner.report("<\(element.name)> is not closed", at: element.offset)
        }
        scanner.finish(at: file.source.bytes.count)
        collectProblems()
    }

    mutating func collectProblems() {
        for problem in scanner.takeProblems() { report(problem.message, at: problem.offset) }
    }

    private mutating func blocks(_ contexts: [String: ViewMarkup]) -> [String: [ViewChecked]] {
        var blocks: [String: [ViewChecked]] = [:]
        for node in file.body {
            guard case .block(let name, let inner, let offset) = node else {
                checkOutsideBlocks(node)
                continue
            }
            guard let context = contexts[name] else {
                let hint: String = ViewHint.meant(name, among: contexts.keys.sorted())
                report("the layout has no block '\(name)'\(hint)", at: offset)
                continue
            }
            if blocks[name] != nil { report("the block '\(name)' is filled twice", at: offset) }
            let ids: [String: Int] = scanner.state.ids
            scanner.state = context
            scanner.state.open = []
            scanner.state.ids = ids
            blocks[name] = nodes(inner, outermost)
            if !file.isText { finishBlock(from: context, at: offset) }
        }
        scanner.finish(at: file.source.bytes.count)
        collectProblems()
        if contexts["main"] != nil, blocks["main"] == nil, world.required(of: file) {
            report("this view fills no block 'main' of its layout", at: file.layout?.offset ?? 0)
        }
        return blocks
    }

    private mutating func finishBlock(from context: ViewMarkup, at offset: Int) {
        for element in scanner.state.open {
            scanner.report("<\(element.name)> is not closed in this block", at: element.offset)
        }
        scanner.state.open = []
        var start: ViewMarkup = context
        start.open = []
        if !start.meets(scanner.state) {
            report("this block ends \(scanner.state.phrase) but begins \(start.phrase)", at: offset)
        }
    }

    private mutating func checkOutsideBlocks(_ node: ViewNode) {
        if case .text(let range) = node {
            let first: Int? = range.first { !ASCII.isSpace(file.source.bytes[$0]) }
            if let first { report("a view with a layout holds everything in blocks", at: first) }
            return
        }
        report("a view with a layout holds everything in blocks", at: node.offset)
    }

    mutating func nodes(_ nodes: [ViewNode], _ scope: ViewScope) -> [ViewChecked] {
        var checked: [ViewChecked] = []
        for node in nodes { self.node(node, scope, into: &checked) }
        return checked
    }

    private mutating func node(_ node: ViewNode, _ scope: ViewScope, into checked: inout [ViewChecked]) {
        switch node {
        case .text(let range):
            let bytes: ArraySlice<UInt8> = file.source.bytes[range]
            if !bytes.isEmpty { checked.append(.bytes(file.isText ? Array(bytes) : scanner.compact(bytes))) }
        case .markup(let text, let offset):
            let bytes: [UInt8] = Array(text.utf8)
            if file.isText {
                report("this tag belongs in HTML, not in a text file", at: offset)
            } else {
                scanner.feed(bytes[...], at: offset)
            }
            checked.append(.bytes(bytes))
        case .output(let value, let offset):
            if needsLineBreak() { checked.append(.bytes([ASCII.newline])) }
            if let emit = output(value, at: offset, scope) { checked.append(emit) }
        case .branch(let branches, let offset): checked.append(branch(branches, at: offset, scope))
        case .loop(let loop):
            if let loop = self.loop(loop, scope) { checked.append(loop) }
        case .block(let name, let inner, let offset): checked.append(block(name, inner, at: offset, scope))
        case .content(let offset):
            checked.append(block("main", [], at: offset, scope))
        case .render(let call):
            requireText("a view can be rendered", at: call.offset)
            if let call = checkedCall(call, scope, isLayout: false) { checked.append(.call(call)) }
        case .slot(_, let inner, _): checked += self.nodes(inner, scope)
        case .yield(let name, let offset):
            requireText("{% yield %} can stand", at: offset)
            checked.append(.yield(name))
        case .fragment(let name, let inner, let offset): checked.append(fragment(name, inner, at: offset))
        }
    }

    private mutating func requireText(_ what: String, at offset: Int) {
        if !file.isText, scanner.state.place != .text {
            report("\(what) only in text, not \(scanner.state.phrase)", at: offset)
        }
    }

    private mutating func block(
        _ name: String, _ inner: [ViewNode], at offset: Int, _ scope: ViewScope
    ) -> ViewChecked {
        if file.page != nil { report("a page cannot declare a block of its own", at: offset) }
        if places.updateValue(scanner.state, forKey: name) != nil {
            report("the block '\(name)' is declared twice", at: offset)
        }
        let start: ViewMarkup = scanner.state
        let body: [ViewChecked] = nodes(inner, scope)
        expectSame(start, "this block", at: offset)
        return .block(name, body)
    }

    private mutating func fragment(_ name: String, _ inner: [ViewNode], at offset: Int) -> ViewChecked {
        requireText("a fragment can stand", at: offset)
        if file.page == nil || scanner.loopDepth > 0 {
            report("a fragment stands in a page, outside any loop", at: offset)
        }
        let start: ViewMarkup = scanner.state
        let body: [ViewChecked] = nodes(inner, outermost)
        expectSame(start, "this fragment", at: offset)
        if fragments.updateValue(body, forKey: name) != nil {
            report("the fragment '\(name)' is there twice", at: offset)
        }
        return .fragment(name, body)
    }

    /// Something that may run never, once or often has to end where it began.
    mutating func expectSame(_ start: ViewMarkup, _ what: String, at offset: Int) {
        guard !file.isText else { return }
        if start.meets(scanner.state) {
            scanner.state.merge(start)
        } else {
            let unclosed: String? = scanner.state.open.count > start.open.count ? scanner.state.open.last?.name : nil
            if let unclosed {
                report("\(what) does not close <\(unclosed)>", at: offset)
            } else {
                report("\(what) ends \(scanner.state.phrase) but begins \(start.phrase)", at: offset)
            }
            scanner.state = start
        }
    }

    private mutating func branch(_ branches: [ViewBranch], at offset: Int, _ scope: ViewScope) -> ViewChecked {
        var scope: ViewScope = scope
        let start: ViewMarkup = scanner.state
        var ends: [ViewMarkup] = []
        var arms: [(test: ViewTest?, body: [ViewChecked])] = []
        for branch in branches {
            var inner: ViewScope = scope
            var test: ViewTest?
            if let condition = branch.condition {
                let (checked, facts) = self.condition(condition, scope)
                test = checked
                inner.present.formUnion(facts.whenTrue)
                scope.present.formUnion(facts.whenFalse)
            }
            scanner.state = start
            arms.append((test, nodes(branch.body, inner)))
            ends.append(scanner.state)
        }
        if branches.last?.condition != nil { ends.append(start) }
        join(ends, start, at: offset)
        return .branch(arms)
    }

    private mutating func join(_ ends: [ViewMarkup], _ start: ViewMarkup, at offset: Int) {
        guard !file.isText, var first = ends.first else { return }
        for end in ends.dropFirst() {
            if first.meets(end) {
                first.merge(end)
                continue
            }
            let names: ([String], [String]) = (first.open.map(\.name), end.open.map(\.name))
            if names.0 != names.1 {
                let more: [String] = names.0.count > names.1.count ? names.0 : names.1
                report(
                    "the branches of this tag do not open and close the same elements: <\(more.last ?? "")>", at: offset
                )
            } else {
                report(
                    "the branches of this tag end in different places: \(first.phrase), and \(end.phrase)", at: offset)
            }
            first = start
            break
        }
        scanner.state = first
    }

    private mutating func loop(_ loop: ViewLoop, _ scope: ViewScope) -> ViewChecked? {
        let list: ViewTyped? = expression(loop.list, at: loop.offset, scope)
        var item: ViewType?
        if let list {
            switch list.type.kind {
            case .list(let record) where !list.type.isOptional: item = ViewType(.record(record))
            case .texts where !list.type.isOptional: item = ViewType(.text)
            default:
                report(
                    "{% for %} needs a list, but this is \(list.type.phrase)", at: offset(of: loop.list, loop.offset))
            }
        }
        if let shape = page?.shape, shape.slot(of: loop.item) != nil || loop.item == "chrome" {
            report("'\(loop.item)' is already the name of a field of \(shape.name)", at: loop.offset)
        }
        guard let list, let item else { return nil }
        let binding: Int = newBinding()
        var inner: ViewScope = scope
        inner.names[loop.item] = (binding, item)
        inner.loops.append(binding)
        let start: ViewMarkup = scanner.state
        scanner.loopDepth += 1
        let body: [ViewChecked] = nodes(loop.body, inner)
        scanner.loopDepth -= 1
        expectSame(start, "this loop", at: loop.offset)
        let otherwise: [ViewChecked] = nodes(loop.otherwise, scope)
        expectSame(start, "the else of this loop", at: loop.offset)
        return .loop(item: binding, list: list.expression, body: body, otherwise: otherwise)
    }
}

extension ViewNode {
    var offset: Int {
        switch self {
        case .text(let range): range.lowerBound
        case .markup(_, let at), .output(_, let at), .branch(_, let at), .block(_, _, let at), .content(let at),
            .slot(_, _, let at), .yield(_, let at), .fragment(_, _, let at):
            at
        case .loop(let loop): loop.offset
        case .render(let call): call.offset
        }
    }
}
