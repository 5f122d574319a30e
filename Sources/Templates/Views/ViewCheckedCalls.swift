/// Calls of other views: the name, the parameters and the slots.
extension ViewChecker {
    mutating func checkedCall(_ call: ViewCall, _ scope: ViewScope, isLayout: Bool) -> ViewCheckedCall? {
        let name: String = file.resolve(call.name)
        var slots: [String: [ViewChecked]] = [:]
        for (slot, inner) in call.slots.sorted(by: { $0.key < $1.key }) {
            let start: ViewMarkup = scanner.state
            slots[slot] = nodes(inner, scope)
            expectSame(start, slot.isEmpty ? "the content of this component" : "the slot '\(slot)'", at: call.offset)
        }
        guard let signature = world.signatures[name] else {
            let hint: String = ViewHint.meant(name, among: world.signatures.keys.sorted())
            report("there is no view '\(call.name)'\(hint)", at: call.offset)
            return nil
        }
        if signature.isPage {
            report("'\(call.name)' is a page: only partials are rendered in a view", at: call.offset)
        }
        for slot in slots.keys.sorted() where !signature.slots.contains(slot) {
            let what: String = slot.isEmpty ? "content: it has no {% yield %}" : "slot '\(slot)'"
            let hint: String = ViewHint.meant(slot, among: signature.slots.filter { !$0.isEmpty }.sorted())
            report("'\(call.name)' takes no \(what)\(slot.isEmpty ? "" : hint)", at: call.offset)
        }
        let arguments: [Int: ViewExpression] = self.arguments(of: call, signature, scope)
        return ViewCheckedCall(name: name, arguments: arguments, slots: slots)
    }

    private mutating func arguments(
        of call: ViewCall, _ signature: ViewSignature, _ scope: ViewScope
    ) -> [Int: ViewExpression] {
        var values: [Int: ViewExpression] = [:]
        for argument in call.arguments where !signature.unresolved.contains(argument.name) {
            guard let parameter = signature.parameters.first(where: { $0.name == argument.name }) else {
                let hint: String = ViewHint.meant(argument.name, among: signature.parameters.map(\.name))
                report("'\(call.name)' has no parameter '\(argument.name)'\(hint)", at: argument.offset)
                continue
            }
            values[parameter.binding] = self.argument(argument, parameter, scope) ?? .constant(.absent)
        }
        for parameter in signature.parameters where values[parameter.binding] == nil {
            if parameter.isRequired {
                report(
                    "'\(call.name)' needs the parameter '\(parameter.name)' (\(parameter.type.name))", at: call.offset)
            }
            values[parameter.binding] = .constant(parameter.fallback ?? .absent)
        }
        return values
    }

    private mutating func argument(
        _ argument: ViewArgument, _ parameter: ViewSignature.Parameter, _ scope: ViewScope
    ) -> ViewExpression? {
        if argument.value.expression == .null, argument.value.filters.isEmpty, parameter.type.isOptional {
            return .constant(.absent)
        }
        guard let typed = filtered(argument.value, at: argument.offset, scope) else { return nil }
        if case .constant(.text) = typed.expression, parameter.type.kind == .link { return typed.expression }
        if typed.isJSON || !typed.type.fits(parameter.type) {
            let given: String = typed.isJSON ? "JSON" : typed.type.phrase
            report("'\(parameter.name)' takes \(parameter.type.phrase), but this is \(given)", at: argument.offset)
            return nil
        }
        return typed.expression
    }
}
