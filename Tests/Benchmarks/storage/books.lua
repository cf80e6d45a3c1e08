-- GET of a book at random: wrk … -- /v1/books/
function init(arguments)
   path = arguments[1]
   math.randomseed(os.time())
end

function request()
   return wrk.format("GET", path .. math.random(10000))
end
