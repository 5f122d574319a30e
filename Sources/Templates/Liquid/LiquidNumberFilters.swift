/// abs, plus, round and the like. What is no number counts as zero.
enum LiquidNumberFilters {
    static func apply(
        _ filter: LiquidFilter, to input: LiquidValue, _ arguments: [LiquidValue]
    ) throws(LiquidFailure) -> LiquidValue {
        let number = LiquidNumber(input)
        switch filter {
        case .abs: return (number.isNegative ? number.negated : number).value
        case .ceil: return try number.rounded(.up).value
        case .floor: return try number.rounded(.down).value
        case .round: return try number.rounded(.nearest, places: places(arguments.first)).value
        default: return try apply(filter, number, LiquidNumber(arguments[0])).value
        }
    }

    private static func apply(
        _ filter: LiquidFilter, _ number: LiquidNumber, _ operand: LiquidNumber
    ) throws(LiquidFailure) -> LiquidNumber {
        switch filter {
        case .atLeast: LiquidNumber.isLess(number, operand) ? operand : number
        case .atMost: LiquidNumber.isLess(operand, number) ? operand : number
        case .plus: LiquidNumber.plus(number, operand)
        case .minus: LiquidNumber.plus(number, operand.negated)
        case .times: LiquidNumber.times(number, operand)
        case .dividedBy: try LiquidNumber.divided(number, by: operand)
        default: try LiquidNumber.modulo(number, by: operand)
        }
    }

    private static func places(_ argument: LiquidValue?) -> Int {
        let number = LiquidNumber(argument ?? .null)
        return Int(exactly: number.double.rounded(.towardZero)) ?? 0
    }
}
