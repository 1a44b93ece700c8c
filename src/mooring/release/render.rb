# Renders templates of BOSH jobs as the Director does. Reads a list of requests
# as JSON from its input and writes a list of answers, {"text": ...} or
# {"error": ...}. A request has
#   name        what to call the template in errors
#   template    its text
#   declared    the properties that the job's spec declares, with their defaults
#   properties  those that the manifest gives
#   spec        what templates see as spec
#   links       by name: address, instances, properties, and declared, which is
#               what the provider shares; without it all properties are visible
require 'erb'
require 'json'
require 'ostruct'

class Missing < StandardError; end

# Properties that a template may see: the declared ones and no others.
class Properties
  def initialize(declared, given)
    @known = declared.nil? ? given : {}
    (declared || {}).each do |name, default|
      value = self.class.dig(given, name)
      put(name, value.nil? ? default : value)
    end
  end

  def self.dig(tree, name)
    name.split('.').reduce(tree) { |at, key| at.is_a?(Hash) ? at[key] : nil }
  end

  def get(name)
    self.class.dig(@known, name)
  end

  private

  def put(name, value)
    *parents, last = name.split('.')
    parents.reduce(@known) { |at, key| at[key] ||= {} }[last] = value
  end
end

# What follows a block that ran, or did not run.
class Otherwise
  def initialize(context, ran)
    @context = context
    @ran = ran
  end

  def else
    yield unless @ran
  end

  def else_if_p(*names, &block)
    @ran ? self : @context.if_p(*names, &block)
  end

  def else_if_link(name, &block)
    @ran ? self : @context.if_link(name, &block)
  end
end

# p and if_p, over what @properties is.
module Lookup
  NOTHING = Object.new

  def p(names, default = NOTHING)
    Array(names).each do |name|
      value = @properties.get(name)
      return value unless value.nil?
    end
    return default unless default.equal?(NOTHING)

    raise Missing, "Can't find property '#{Array(names).join("', or '")}'"
  end

  def if_p(*names)
    values = names.map { |name| @properties.get(name) }
    return Otherwise.new(self, false) if values.any?(&:nil?)

    yield(*values)
    Otherwise.new(self, true)
  end
end

class Link
  include Lookup
  attr_reader :instances, :address

  def initialize(link)
    @address = link['address']
    @instances = link['instances'].map { |instance| OpenStruct.new(instance) }
    @properties = Properties.new(link['declared'], link['properties'] || {})
  end
end

class Context
  include Lookup
  attr_reader :spec

  def initialize(request)
    @spec = JSON.parse(request['spec'].to_json, object_class: OpenStruct)
    @properties = Properties.new(request['declared'], request['properties'] || {})
    @links = request['links'] || {}
  end

  def link(name)
    raise Missing, "Can't find link '#{name}'" unless @links.key?(name)

    Link.new(@links[name])
  end

  def if_link(name)
    return Otherwise.new(self, false) unless @links.key?(name)

    yield link(name)
    Otherwise.new(self, true)
  end

  def expose
    binding
  end
end

def render(request)
  erb = ERB.new(request['template'], trim_mode: '-')
  erb.filename = request['name']
  { text: erb.result(Context.new(request).expose) }
rescue StandardError, SyntaxError => e
  line = [e.message, *e.backtrace].map { |at| at[/\A#{Regexp.escape(request['name'])}:(\d+)/, 1] }.compact.first || 'unknown'
  { error: "Error filling in template '#{request['name']}' (line #{line}: #{e.message})" }
end

puts JSON.parse($stdin.read).map { |request| render(request) }.to_json
