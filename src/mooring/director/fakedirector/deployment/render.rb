# Renders the jobs of instances as the Director does. Reads a list of instances as
# JSON from its input, each with
#   spec   what templates see as spec, without properties and links
#   jobs   name, release (name and version), properties, links by name, and
#          templates: the source's name and its text, monit among them
# and writes a list with, for each job of each instance, its texts by source, or
# what cannot be rendered: [{"texts": {}, "errors": []}].
require 'erb'
require 'json'
require 'openssl'
require 'ostruct'
require 'shellwords'
require 'yaml'

Encoding.default_external = Encoding.default_internal = 'UTF-8'

class UnknownProperty < StandardError
  def initialize(names)
    super("Can't find property '#{names}'")
  end
end

class UnknownLink < StandardError
  def initialize(name)
    super("Can't find link '#{name}'")
  end
end

# Looks names with dots up in a tree, without a check of what it meets.
def dig(tree, name)
  name.split('.').reduce(tree) { |at, key| at.nil? ? nil : at[key] }
end

# What follows a block that did not run.
class Otherwise
  def initialize(context)
    @context = context
  end

  def else
    yield
  end

  def else_if_p(*names, &block)
    @context.if_p(*names, &block)
  end

  def else_if_link(name, &block)
    @context.if_link(name, &block)
  end
end

# What follows a block that ran.
class Done
  def else; end

  def else_if_p(*)
    Done.new
  end

  def else_if_link(*)
    Done.new
  end
end

# p and if_p, over what the method looked_in returns.
module Lookup
  def p(*args)
    names = Array(args[0])
    names.each do |name|
      value = dig(looked_in, name)
      return value unless value.nil?
    end
    return args[1] if args.length == 2

    raise UnknownProperty, names
  end

  def if_p(*names)
    values = names.map { |name| dig(looked_in, name) }
    return Otherwise.new(self) if values.any?(&:nil?)

    yield(*values)
    Done.new
  end
end

class LinkInstance
  include Lookup
  attr_reader :name, :index, :id, :az, :address, :properties, :bootstrap

  def initialize(instance)
    %w[name index id az address properties bootstrap].each do |field|
      instance_variable_set("@#{field}", instance[field])
    end
  end

  def looked_in
    @properties
  end
end

class Link
  include Lookup
  attr_reader :instances, :properties

  STATUS = { 'healthy' => 3, 'unhealthy' => 1, 'all' => 4 }.freeze

  def initialize(link, azs)
    @link = link
    @azs = azs
    @instances = link['instances'].map { |instance| LinkInstance.new(instance) }
    @properties = link['properties']
  end

  def looked_in
    @properties
  end

  # The name that BOSH DNS answers with all instances that are well.
  def address(criteria = {})
    return @link['address'] if @link.key?('address')

    query = (criteria[:azs] || []).map do |az|
      number = @azs.index(az)
      raise "Unknown AZ: '#{az}'" if number.nil?

      "a#{number + 1}"
    end
    query << { 'synchronous' => 'y1', 'asynchronous' => 'y0' }[criteria[:initial_health_check]]
    query << "s#{STATUS.fetch(criteria[:status], 0)}"
    labels = %w[instance_group default_network deployment_name].map do |field|
      @link[field].downcase.tr('_', '-').gsub(/[^a-z0-9-]/, '')
    end
    ["q-#{query.compact.sort.join}", *labels, @link['domain']].join('.')
  end
end

class Context
  include Lookup
  attr_reader :name, :index, :spec, :properties, :raw_properties

  def initialize(spec, azs)
    @name = spec['name']
    @index = spec['index']
    @spec = opened(spec)
    @raw_properties = spec['properties'] || {}
    @properties = opened(@raw_properties)
    @links = spec['links'] || {}
    @azs = azs
  end

  def link(name)
    found = dig(@links, name)
    raise UnknownLink, name unless found&.key?('instances')

    Link.new(found, @azs)
  end

  def if_link(name)
    found = dig(@links, name)
    return Otherwise.new(self) unless found&.key?('instances')

    yield Link.new(found, @azs)
    Done.new
  end

  def expose
    binding
  end

  private

  def looked_in
    @raw_properties
  end

  def opened(value)
    case value
    when Hash then OpenStruct.new(value.transform_values { |inner| opened(inner) })
    when Array then value.map { |inner| opened(inner) }
    else value
    end
  end
end

class Failed < StandardError; end

def rendered(job, template, context)
  erb = ERB.new(template['text'], trim_mode: '-')
  erb.filename = File.join(job['name'], template['source'])
  erb.result(context.expose)
rescue Exception => e # rubocop:disable Lint/RescueException
  at = (e.backtrace || []).find { |line| line.include?(erb.filename) } || '(unknown):(unknown)'
  raise Failed, "Error filling in template '#{template['source']}' (line #{at.split(':')[1]}: #{e})"
end

def answer(instance, job, azs)
  answer = { texts: {}, errors: [] }
  spec = instance['spec'].merge(job.slice('properties', 'links', 'release'))
  job['templates'].each do |template|
    context = Context.new(JSON.parse(spec.to_json), azs)
    answer[:texts][template['source']] = rendered(job, template, context)
  rescue Failed => e
    answer[:errors] << e.message.strip
    # Without monit's file, the Director looks no further.
    break if template['source'] == 'monit'
  end
  answer
end

input = JSON.parse($stdin.read)
puts(input['instances'].map { |instance| instance['jobs'].map { |job| answer(instance, job, input['azs']) } }.to_json)
