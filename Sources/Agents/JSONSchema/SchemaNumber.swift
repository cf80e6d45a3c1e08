/// A number as the decimal it is written as: 0.0075 is a multiple of 0.0001, which its binary neighbours do not know.
struct SchemaNumber: Sendable, CustomStringConvertible {
    let value: JSONValue
    /// The number is `digits` × 10 to the power of `exponent`, its sign aside.
    private let digits: UInt64
    private let exponent: Int
    private let approximate: Double

    init?(_ value: JSONValue) {
        self.value = value
        switch value {
        case .integer(let integer):
            digits = UInt64(integer.magnitude)
            exponent = 0
            approximate = Double(integer)
        case .number(let number) where number.isFinite:
            (digits, exponent) = Self.decimal(number.magnitude)
            approximate = number
        default: return nil
        }
    }

    var description: String { CanonicalJSON(value).text }

    static func < (left: SchemaNumber, right: SchemaNumber) -> Bool {
        if case (.integer(let left), .integer(let right)) = (left.value, right.value) { return left < right }
        // Between an integer that no Double holds and a Double, rounding may say "equal" where it is off by a few.
        if left.approximate != right.approximate { return left.approximate < right.approximate }
        switch (left.value, right.value) {
        case (.integer(let left), .number(let right)): return Int(exactly: right).map { left < $0 } ?? false
        case (.number(let left), .integer(let right)): return Int(exactly: left).map { $0 < right } ?? false
        default: return false
        }
    }

    var isPositive: Bool { approximate > 0 }

    /// Whether it is `divisor` any whole number of times; `divisor` is greater than nought.
    func isMultiple(of divisor: SchemaNumber) -> Bool {
        guard digits != 0 else { return true }
        if exponent >= divisor.exponent {
            let power = Self.power(of: exponent - divisor.exponent, modulo: divisor.digits)
            return Self.product(digits % divisor.digits, power, modulo: divisor.digits) == 0
        }
        // The divisor's last digit stands higher: once it is written with as many digits, it may be beyond `digits`.
        var scaled = divisor.digits
        for _ in 0..<(divisor.exponent - exponent) {
            let (product, overflow) = scaled.multipliedReportingOverflow(by: 10)
            guard !overflow, product <= digits else { return false }
            scaled = product
        }
        return digits % scaled == 0
    }

    /// The shortest decimal that reads as `number`, which has at most 17 digits.
    private static func decimal(_ number: Double) -> (digits: UInt64, exponent: Int) {
        var digits: UInt64 = 0
        var exponent = 0
        var isFraction = false
        let text = "\(number)".utf8
        for (index, byte) in zip(text.indices, text) {
            switch byte {
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"):
                exponent += Int(String(text[text.index(after: index)...]) ?? "") ?? 0
                return trimmed(digits, exponent)
            default:
                digits = digits * 10 + UInt64(byte - UInt8(ascii: "0"))
                if isFraction { exponent -= 1 }
            }
        }
        return trimmed(digits, exponent)
    }

    private static func trimmed(_ digits: UInt64, _ exponent: Int) -> (UInt64, Int) {
        var (digits, exponent) = (digits, exponent)
        while digits != 0, digits % 10 == 0 { (digits, exponent) = (digits / 10, exponent + 1) }
        return (digits, exponent)
    }

    private static func power(of exponent: Int, modulo: UInt64) -> UInt64 {
        var result = 1 % modulo
        for _ in 0..<exponent { result = product(result, 10 % modulo, modulo: modulo) }
        return result
    }

    private static func product(_ left: UInt64, _ right: UInt64, modulo: UInt64) -> UInt64 {
        modulo.dividingFullWidth(left.multipliedFullWidth(by: right)).remainder
    }
}
